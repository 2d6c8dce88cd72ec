// Package arriving asks: do the records arrive, undiverted and without loss?
package arriving
