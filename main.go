// Pqjoin sorts, lags, merges and groups Parquet data of any size inside a memory bound that holds.
package main

import (
	"os"

	"pqjoin/cli"
)

func main() {
	os.Exit(cli.Main(os.Args, os.Stdin, os.Stdout, os.Stderr))
}
