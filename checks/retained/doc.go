// Package retained asks: are the records kept, and searchable, long enough?
package retained
