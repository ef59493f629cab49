"""The rival of bench/server.ts: FastAPI with ONNX Runtime as its users write it; validation by pydantic, one thread, one worker.

    python fastapi_server.py MODEL PORT
"""
import sys

import numpy
import onnxruntime
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, Field

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
app = FastAPI()


class Inputs(BaseModel):
    x: list[float] = Field(min_length=52, max_length=52)


class Request(BaseModel):
    inputs: Inputs


@app.post("/predict")
async def predict(request: Request):
    y = session.run(["y"], {"x": numpy.array([request.inputs.x], dtype=numpy.float32)})[0]
    return {"outputs": {"y": y[0].tolist()}}


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
