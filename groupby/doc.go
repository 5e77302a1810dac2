// Package groupby makes one row of each key: external hash aggregation, and streaming
// aggregation of rows that are already ordered by the keys.
package groupby
