// Package picture opens image files from outside without trusting them: only
// regular files, size and pixel count checked before anything is decoded, the
// format told by the content and never by the name.
package picture
