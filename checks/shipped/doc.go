// Package shipped asks: do the records outlive the thing that wrote them?
package shipped
