// Package web is an agency's console as pages: rendered by the server, kept
// live by htmx and one event stream, usable by keyboard. Nothing is loaded
// from elsewhere, and no script or style is inline.
//
// The *_templ.go files are made by `go tool templ generate`, the folder dist
// by `go run ./internal/console/web/bundle` after `npm ci --ignore-scripts`.
package web

//go:generate go tool templ generate
