import { Input, SegmentedControl } from '@mantine/core'
import type { Runtime } from '../../contract/measurement.ts'

interface RuntimeChoiceProps {
  readonly value: Runtime
  readonly onChange: (runtime: Runtime) => void
  /** Why TensorRT cannot be chosen; null where it can. */
  readonly refusal: string | null
  readonly testId?: string
}

/** What runs the model: ONNX Runtime on the processor, or TensorRT on the GPU of a Jetson. */
export function RuntimeChoice({ value, onChange, refusal, testId }: RuntimeChoiceProps) {
  const about = value === 'tensorrt' ? 'on the GPU; the first run builds an engine, which takes minutes' : 'on the processor'
  return (
    <Input.Wrapper label="Runtime" description={refusal ?? about} labelElement="div" size="xs">
      <SegmentedControl
        fullWidth
        data={[
          { value: 'onnxruntime', label: 'ONNX Runtime' },
          { value: 'tensorrt', label: 'TensorRT', disabled: refusal !== null },
        ]}
        value={refusal === null ? value : 'onnxruntime'}
        onChange={(chosen) => onChange(chosen === 'tensorrt' ? 'tensorrt' : 'onnxruntime')}
        aria-label="Runtime"
        data-testid={testId}
        mt={4}
      />
    </Input.Wrapper>
  )
}
