// Package sidecar reads what a scanner says about an image in a file beside it,
// JSON or XML.
package sidecar
