// Pqjoin sorts, lags, joins and groups tables of any size, in Parquet, CSV, JSON lines or Arrow files, inside a memory bound that holds.
package main

import (
	"os"

	"pqjoin/cli"
)

func main() {
	os.Exit(cli.Main(os.Args, os.Stdin, os.Stdout, os.Stderr))
}
