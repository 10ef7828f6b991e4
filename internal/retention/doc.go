// Package retention decides which evidence may go from the gate's disk, and
// removes it. What it knows of a piece follows from the shared record alone: which
// passages name it, what was found and decided there, who holds it, and which
// agency has said that it stored it. A removal is chained before the file goes,
// and only if nothing was chained since the decision.
package retention
