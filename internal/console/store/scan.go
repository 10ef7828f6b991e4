package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// collect reads all rows into values, whose columns into names.
func collect[T any](rows *sql.Rows, into func(*T) []any) ([]T, error) {
	defer rows.Close()
	var list []T
	for rows.Next() {
		var v T
		if err := rows.Scan(into(&v)...); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// jsonColumn reads a column of JSON.
type jsonColumn struct{ into any }

func asJSON(into any) sql.Scanner { return jsonColumn{into} }

// Scan implements sql.Scanner.
func (c jsonColumn) Scan(src any) error {
	switch v := src.(type) {
	case []byte:
		return json.Unmarshal(v, c.into)
	case string:
		return json.Unmarshal([]byte(v), c.into)
	}
	return fmt.Errorf("column of JSON holds %T", src)
}

// timeColumn reads a column that stamp has written.
type timeColumn struct{ into *time.Time }

func asTime(into *time.Time) sql.Scanner { return timeColumn{into} }

// Scan implements sql.Scanner.
func (c timeColumn) Scan(src any) error {
	v, ok := src.(string)
	if !ok {
		return fmt.Errorf("column of time holds %T", src)
	}
	*c.into = unstamp(v)
	return nil
}
