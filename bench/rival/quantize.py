"""Quantizes a model with ONNX Runtime's Python tool and prints what it took as one line of JSON.

    python quantize.py --model in.onnx --samples samples.npy --variant naive|reduce-range|percentile|defaults --out out.onnx

Variants:
    naive         uint8 activations, int8 weights for each channel, full range: what most guides recommend for x64
    reduce-range  the same with 7-bit weights: what the tool's documentation recommends for x64 without VNNI
    percentile    reduce-range with the percentile calibrator (99.999) instead of minimum and maximum
    defaults      quantize_static as it is when nothing but model and samples is given
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnx.version_converter
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quant_pre_process, quantize_static

PER_CHANNEL_OPSET = 13


class Samples(CalibrationDataReader):
    def __init__(self, model, samples):
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        self.feeds = ({name: sample[None]} for sample in samples)

    def get_next(self):
        return next(self.feeds, None)


def status_bytes(field):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--samples", required=True)
    parser.add_argument("--variant", required=True, choices=["naive", "reduce-range", "percentile", "defaults"])
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    idle = status_bytes("VmRSS")
    begin = time.perf_counter()
    samples = np.load(arguments.samples)
    with tempfile.TemporaryDirectory() as folder:
        source = str(Path(folder) / "source.onnx")
        prepared = str(Path(folder) / "prepared.onnx")
        model = onnx.load(arguments.model)
        opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
        if opset < PER_CHANNEL_OPSET:
            # Scales for each channel need it, and the tool does not raise the opset itself.
            model = onnx.version_converter.convert_version(model, PER_CHANNEL_OPSET)
        onnx.save(model, source)
        quant_pre_process(source, prepared)
        reader = Samples(prepared, samples)
        if arguments.variant == "defaults":
            quantize_static(prepared, arguments.out, reader)
        else:
            quantize_static(
                prepared,
                arguments.out,
                reader,
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                reduce_range=arguments.variant != "naive",
                calibrate_method=CalibrationMethod.Percentile if arguments.variant == "percentile" else CalibrationMethod.MinMax,
            )
    seconds = time.perf_counter() - begin
    versions = {"onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__, "numpy": np.__version__}
    print(json.dumps({"seconds": seconds, "idleBytes": idle, "peakBytes": status_bytes("VmHWM"), "versions": versions}))


main()
