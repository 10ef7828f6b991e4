package private

import "slices"

// Role is what a user is to the agency.
type Role string

// Roles of users.
const (
	Officer    Role = "officer"
	Supervisor Role = "supervisor"
	Technician Role = "technician"
	Auditor    Role = "auditor"
)

// Roles lists all roles in the order in which pages offer them.
func Roles() []Role { return []Role{Officer, Supervisor, Technician, Auditor} }

// Right is something that a role may do. The zero value is no right at all.
type Right string

// Rights.
const (
	// Own is what everybody who is logged in may do: leave, and change the own
	// password.
	Own Right = "own"
	// See is to see passages, alerts, pictures and what both agencies decided.
	See Right = "see"
	// Decide is to give verdicts, to acknowledge alerts and to write notes.
	Decide Right = "decide"
	// Correct is to enter, split, merge and change passages.
	Correct Right = "correct"
	// Hold is to set and to lift the agency's legal hold on a passage.
	Hold Right = "hold"
	// Documents is to see numbers and names of travel documents in full, which
	// is audited each time, and to search for them.
	Documents Right = "documents"
	// Devices is to see the state and the history of devices and chains.
	Devices Right = "devices"
	// Users is to create, disable and reset accounts.
	Users Right = "users"
	// Audit is to read who saw and did what.
	Audit Right = "audit"
	// Control is to take control of a barrier and to give it commands; a
	// technician may only while the device is in test.
	Control Right = "control"
	// TakeOver is to take control from whoever holds it.
	TakeOver Right = "takeover"
	// Export is to take records out of the console in files.
	Export Right = "export"
	// Trials is to have fictional threats projected for a lane's reviewers, and
	// to see how they did.
	Trials Right = "trials"
)

// Rights lists all rights.
func Rights() []Right {
	return []Right{Own, See, Decide, Correct, Hold, Documents, Devices, Control, TakeOver, Users, Audit, Export, Trials}
}

// May tells whether the role has a right. An unknown role has none.
func (r Role) May(right Right) bool { return slices.Contains(r.rights(), right) }

func (r Role) rights() []Right {
	switch r {
	case Officer:
		return []Right{Own, See, Decide, Correct, Documents, Devices, Control}
	case Supervisor:
		return Rights()
	case Technician:
		return []Right{Own, See, Devices, Control}
	case Auditor:
		return []Right{Own, See, Documents, Devices, Audit, Export}
	}
	return nil
}

// Known tells whether it is one of Roles.
func (r Role) Known() bool { return slices.Contains(Roles(), r) }
