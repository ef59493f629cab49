import { batchNormalization } from './batch-normalization.ts'
import { conv } from './convolution.ts'
import { plus, scaled } from './elementary.ts'
import { add, flatten, gemm, globalAveragePool, maxPool, relu } from './layers.ts'
import {
  batchNormalizationParameters,
  type ConvLayer,
  convParameters,
  gemmParameters,
  type NetworkBuilder,
  type Parameter,
  runningStatistics,
} from './network-builder.ts'
import type { Tape, Value } from './tape.ts'

/** Share of the old value that a running average keeps per step; the default of ONNX (PyTorch calls it 1 − 0.9). */
const RUNNING_MOMENTUM = 0.9

/** A running average: a graph input `value` (the old one) and what it becomes after the step. */
export interface RunningAverage {
  readonly value: Value
  readonly next: Value
  /** Before the first step: mean 0, variance 1. */
  readonly start: number
}

/** Writes a network with recorded gradients: every parameter is a graph input, batch normalization uses batch statistics. */
export class TrainingGraph implements NetworkBuilder {
  readonly parameters: { readonly parameter: Parameter; readonly value: Value }[] = []
  readonly runningAverages: RunningAverage[] = []
  private readonly tape: Tape

  constructor(tape: Tape) {
    this.tape = tape
  }

  conv(name: string, x: Value, layer: ConvLayer): Value {
    const { weight, bias } = convParameters(name, x, layer)
    return conv(this.tape, x, this.parameterInput(weight), bias && this.parameterInput(bias), layer)
  }

  batchNormalization(name: string, x: Value): Value {
    const { scale, bias } = batchNormalizationParameters(name, x)
    const { output, mean, variance } = batchNormalization(this.tape, x, this.parameterInput(scale), this.parameterInput(bias))
    const names = runningStatistics(name)
    this.average(names.mean, mean, 0)
    this.average(names.variance, variance, 1)
    return output
  }

  relu(_name: string, x: Value): Value {
    return relu(this.tape, x)
  }

  maxPool(_name: string, x: Value, size: number): Value {
    return maxPool(this.tape, x, size)
  }

  globalAveragePool(_name: string, x: Value): Value {
    return globalAveragePool(this.tape, x)
  }

  add(_name: string, a: Value, b: Value): Value {
    return add(this.tape, a, b)
  }

  flatten(_name: string, x: Value): Value {
    return flatten(this.tape, x)
  }

  gemm(name: string, x: Value, outFeatures: number): Value {
    const { weight, bias } = gemmParameters(name, x, outFeatures)
    return gemm(this.tape, x, this.parameterInput(weight), this.parameterInput(bias))
  }

  private parameterInput(parameter: Parameter): Value {
    const value = this.tape.input(parameter.name, parameter.shape)
    this.parameters.push({ parameter, value })
    return value
  }

  private average(name: string, ofBatch: Value, start: number): void {
    const value = this.tape.input(name, ofBatch.shape)
    const next = plus(this.tape, scaled(this.tape, value, RUNNING_MOMENTUM), scaled(this.tape, ofBatch, 1 - RUNNING_MOMENTUM))
    this.runningAverages.push({ value, next, start })
  }
}
