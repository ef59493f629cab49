import { strToU8, zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { decodeModel } from '../../../src/core/onnx/model-file.ts'

const bytes = (...parts: (string | number[])[]) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...part].map((char) => char.charCodeAt(0)) : part)))

describe('files that people take for ONNX', () => {
  test.each<[string, Uint8Array, RegExp, RegExp]>([
    [
      'a PyTorch checkpoint',
      zipSync({ 'model/data.pkl': strToU8('x'), 'model/data/0': strToU8('y') }),
      /PyTorch checkpoint/,
      /torch\.onnx\.export/,
    ],
    ['an old PyTorch or scikit-learn pickle', bytes([0x80, 2], 'ctorch._utils'), /Python pickle/, /skl2onnx/],
    ['a Keras v3 file', zipSync({ 'config.json': strToU8('{}'), 'model.weights.h5': strToU8('y') }), /Keras model/, /tf2onnx/],
    ['a Keras .h5', bytes('\x89HDF\r\n\x1a\n', [0, 0]), /HDF5/, /tf2onnx/],
    ['an .npz', zipSync({ 'x.npy': strToU8('x') }), /NumPy \.npz/, /dataset/],
    ['some zip', zipSync({ 'readme.txt': strToU8('x') }), /zip archive/, /Unpack/],
    ['TensorFlow Lite', bytes([0x1c, 0, 0, 0], 'TFL3', [0, 0]), /TensorFlow Lite/, /tflite/],
    ['a SavedModel', bytes([8, 1, 0x12, 4, 0x0a, 2, 0x22, 0]), /TensorFlow SavedModel/, /saved-model/],
    ['a frozen TensorFlow graph', bytes([0x0a, 8, 0x0a], '\x04conv', [0x12, 0]), /TensorFlow graph/, /tf2onnx/],
    ['GGUF', bytes('GGUF', [3, 0, 0, 0]), /GGUF/, /optimum/],
    ['safetensors', bytes([0x40, 0, 0, 0, 0, 0, 0, 0], '{"w":{"dtype":"F32"}}'), /safetensors/, /torch/],
    ['an ORT format model', bytes([0x20, 0, 0, 0], 'ORTM'), /ONNX Runtime \.ort/, /\.onnx file/],
    ['a web page', bytes('<!DOCTYPE html><html><body>404'), /web page/, /download/i],
    ['a Git LFS pointer', bytes('version https://git-lfs.github.com/spec/v1\noid sha256:0'), /Git LFS pointer/, /git lfs pull/],
    ['JSON', bytes('{"format": "layers-model"}'), /JSON/, /onnx/],
    ['OpenVINO XML', bytes('<?xml version="1.0"?><net name="x">'), /XML/, /ONNX/],
    ['text', bytes('hello, I am no model'), /text file/, /download/i],
    ['gzip', bytes([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), /gzip/, /gunzip/],
    ['a NumPy array', bytes('\x93NUMPY', [1, 0]), /NumPy array/, /dataset/],
    ['a PNG', bytes('\x89PNG\r\n'), /image/, /onnx/],
    ['a program', bytes('\x7fELF', [2, 1, 1]), /program/, /onnx/],
  ])('%s is named', (_, content, message, hint) => {
    expect(() => decodeModel(content, 'model.onnx')).toThrow(
      expect.objectContaining({ code: 'MODEL_NOT_ONNX', message: expect.stringMatching(message), hint: expect.stringMatching(hint) }),
    )
  })

  test('anything else says what is wrong', () => {
    expect(() => decodeModel(Uint8Array.from([255, 254, 0, 1]), 'x.onnx')).toThrow(
      expect.objectContaining({ code: 'MODEL_NOT_ONNX', message: expect.stringMatching(/x\.onnx is not an ONNX model: .* at byte 0/) }),
    )
  })
})
