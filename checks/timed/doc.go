// Package timed asks: do the clocks agree?
package timed
