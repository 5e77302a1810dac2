"""The benchmark's parts: catalog (what is run), data, engines, measure, verify, report.

What one run gives is a record, a flat dict, written as one line of JSON; the report is made of records alone.
"""
