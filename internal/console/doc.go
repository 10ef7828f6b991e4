// Package console is an agency's console: its configuration, its store, its
// link to the hub and its pages, put together.
package console
