// Package acquirable asks: could a responder still take a disk, memory, a shell, the image?
package acquirable
