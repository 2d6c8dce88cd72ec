// Package recorded asks: is it written down at all, and in full?
package recorded
