import type { DeviceReport } from '../../../contract/device.ts'
import { Facts } from '../../components/facts.tsx'
import { Section } from '../../components/section.tsx'
import { plainText } from '../../format/plain-text.ts'
import { targetGuides } from '../../text/target-guide.ts'
import { targetReason } from './target-reason.ts'

/** Which builds fit the device, and why. */
export function TargetSection({ report }: { report: DeviceReport }) {
  const { target, tensorRt } = report
  return (
    <Section title="Builds for this device">
      <Facts
        facts={[
          { label: 'Proposed target', value: target ? `${targetGuides[target].title} (${target})` : 'none', wide: true },
          { label: 'Why', value: targetReason(report), wide: true },
          ...(target ? [{ label: 'What that means', value: targetGuides[target].note, wide: true }] : []),
          ...(tensorRt === null
            ? []
            : [
                {
                  label: 'Also',
                  value: `TensorRT ${plainText(tensorRt, 40)} is installed: builds for the target tensorrt run on the GPU.`,
                  wide: true,
                },
              ]),
        ]}
      />
    </Section>
  )
}
