// Package sealed asks: could an intruder alter, delete or stop the records?
package sealed
