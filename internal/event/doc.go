// Package event holds the words of Gatehouse as Go types: reading, passage,
// coverage, finding, alert, verdict, receipt, evidence. Every other package
// speaks these words and this one imports nothing of the project.
//
// The JSON form of the types is the shared record that both agencies store for
// years: fields are only ever added, never renamed or re-used with another
// meaning. Times are UTC with the precision the source had; durations and
// physical quantities carry their unit in the field name. The folder schema
// has the JSON Schemas, made from the types.
package event

//go:generate go run ./schemagen schema
