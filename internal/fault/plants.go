package fault

// EnvPlant names the environment variable that plants a bug in a torture build.
const EnvPlant = "GATEHOUSE_PLANT"

// Bugs that can be planted.
const (
	PlantNoSync  = "no-sync"               // the journal's group commit is not synced
	PlantNoKey   = "no-key"                // events that are on the chain already are chained again
	PlantReceipt = "receipt-before-commit" // a console acknowledges what it has not stored yet
)

// EnvNTP names the environment variable of a file whose content stands for what
// the kernel says of its clock in a torture build: "ntp", or "free" for a clock
// that has lost its source.
const EnvNTP = "GATEHOUSE_NTP"
