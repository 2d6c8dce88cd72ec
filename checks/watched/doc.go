// Package watched asks: does a sensor see what happens inside, everywhere?
package watched
