package account

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"gatehouse/internal/console/store"
)

// examples is how many rows a difference names.
const examples = 3

// Compare lists in what the shared tables of two stores differ, row by row;
// nothing when they are equal.
func Compare(ctx context.Context, a, b *sql.DB) ([]string, error) {
	var all []string
	for _, table := range store.SharedTables() {
		left, err := rowsOf(ctx, a, table)
		if err != nil {
			return nil, err
		}
		right, err := rowsOf(ctx, b, table)
		if err != nil {
			return nil, err
		}
		all = append(all, differences(table.Name, left, right)...)
	}
	return all, nil
}

// rowsOf reads a table: key to the whole row in words.
func rowsOf(ctx context.Context, db *sql.DB, table store.Table) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT * FROM "+table.Name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", table.Name, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", table.Name, err)
	}
	keys := strings.Split(table.Key, ", ")
	cells, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range cells {
		into[i] = &cells[i]
	}
	all := map[string]string{}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("read %s: %w", table.Name, err)
		}
		var key, row strings.Builder
		for i, c := range cells {
			// The type is part of the value: 1 and '1' are not equal.
			fmt.Fprintf(&row, "%s=%T:%x ", columns[i], c, c)
			if slices.Contains(keys, columns[i]) {
				fmt.Fprintf(&key, "%v ", c)
			}
		}
		all[strings.TrimSpace(key.String())] = row.String()
	}
	return all, rows.Err()
}

func differences(table string, left, right map[string]string) []string {
	var onlyLeft, onlyRight, differ []string
	for key, row := range left {
		switch other, there := right[key]; {
		case !there:
			onlyLeft = append(onlyLeft, key)
		case other != row:
			differ = append(differ, key+" ("+unequal(row, other)+")")
		}
	}
	for key := range right {
		if _, there := left[key]; !there {
			onlyRight = append(onlyRight, key)
		}
	}
	var all []string
	for _, d := range []struct {
		what string
		keys []string
	}{{"only in the first store", onlyLeft}, {"only in the second store", onlyRight}, {"not the same in both", differ}} {
		if len(d.keys) > 0 {
			slices.Sort(d.keys)
			all = append(all, fmt.Sprintf("%s: %d rows %s: %s", table, len(d.keys), d.what, strings.Join(d.keys[:min(examples, len(d.keys))], "; ")))
		}
	}
	return all
}

// unequal names the columns in which two rows differ.
func unequal(a, b string) string {
	left, right := strings.Fields(a), strings.Fields(b)
	var names []string
	for i := range min(len(left), len(right)) {
		if left[i] != right[i] {
			name, _, _ := strings.Cut(left[i], "=")
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
