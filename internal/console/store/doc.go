// Package store is an agency's own copy of the shared record: one SQLite file
// and a folder of evidence.
//
// The bytes that a gate signed are stored first and as they came (table
// events, key chain and sequence); everything a page shows is projected from
// them in the same transaction and can be projected again. The projections do
// not depend on the order of arrival, so that two stores that hold the same
// events hold the same rows; SharedTables names the tables for which that is
// so. What belongs to this store alone (when an event arrived, what waits to be
// sent, which evidence was asked for) has tables of its own.
//
// There is one writing connection and a pool of reading ones. A transaction is
// on disk when Commit returns (WAL with synchronous=FULL).
package store
