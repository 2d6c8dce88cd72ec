package host

import (
	"context"

	"lookback/scanners/host/root"
	"lookback/scanners/host/scope"
)

// readers lists what is read of a host, in this order: shippers last, for they take away what the others write.
func readers(windows bool) []func(context.Context, *scope.Scope) {
	if windows {
		return nil
	}
	return nil
}

func windowsName(*root.Root) string { return "" }
