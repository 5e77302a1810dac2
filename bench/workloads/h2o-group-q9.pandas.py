import pandas as pd


def run(tables, out):
    rows = pd.read_parquet(tables["g1"], columns=["id2", "id4", "v1", "v2"]).dropna(subset=["v1", "v2"])
    rows = rows.assign(x2=rows.v1.astype("float64") ** 2, y2=rows.v2.astype("float64") ** 2, xy=rows.v1.astype("float64") * rows.v2)
    s = rows.groupby(["id2", "id4"], as_index=False, sort=False, observed=True, dropna=False).agg(
        n=("xy", "size"), v1=("v1", "sum"), v2=("v2", "sum"), x2=("x2", "sum"), y2=("y2", "sum"), xy=("xy", "sum"))
    top = (s.n * s.xy - s.v1 * s.v2) ** 2
    s["r2"] = top / ((s.n * s.x2 - s.v1 ** 2) * (s.n * s.y2 - s.v2 ** 2))
    s[["id2", "id4", "r2"]].to_parquet(f"{out}/result.parquet", compression="snappy", index=False)
