// Package model runs the trained nets by ONNX Runtime. A model is a folder
// with model.onnx and a manifest.json that says what goes in, what comes out
// and which figures were fitted with it, so that a model can be replaced
// without a change of code.
package model
