// Package docs holds the generated pages and the directive that writes them.
package docs

//go:generate go run ./generate .
