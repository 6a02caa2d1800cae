"""Reads OpenMetrics text from standard input as strictly as Python's client does, and writes it as JSON: families by name,
each with its type and its samples, by name and labels."""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

families = {}
for family in text_string_to_metric_families(sys.stdin.read()):
    if not family.documentation:
        sys.exit(f"{family.name} does not say what it is")
    samples = {}
    for sample in family.samples:
        name = " ".join([sample.name, *(f"{label}={value}" for label, value in sorted(sample.labels.items()))])
        if name in samples:
            sys.exit(f"{name} is there twice")
        samples[name] = sample.value
    families[family.name] = {"type": family.type, "samples": samples}
json.dump(families, sys.stdout)
