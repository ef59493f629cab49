import { Button, Group } from '@mantine/core'
import { useState } from 'react'
import type { Deployment } from '../../../../contract/deployment.ts'
import type { ServiceLive } from '../../../../contract/service-protocol.ts'
import { bridge } from '../../../backend/bridge.ts'
import { jobResult } from '../../../backend/job-result.ts'
import { useAction } from '../../../backend/use-action.ts'
import { isActive, useJob } from '../../../backend/use-jobs.ts'
import { Facts } from '../../../components/facts.tsx'
import { Section } from '../../../components/section.tsx'
import { formatBytes } from '../../../format/bytes.ts'
import { formatCount, formatCounted } from '../../../format/numbers.ts'
import { plainText } from '../../../format/plain-text.ts'

interface PredictionLogProps {
  readonly deployment: Pick<Deployment, 'id' | 'service'>
  readonly log: ServiceLive['predictionLog']
}

/** What is kept of predictions on the device. */
export function PredictionLog({ deployment, log }: PredictionLogProps) {
  const start = useAction('predictions.export')
  const [jobId, setJobId] = useState<string | null>(null)
  const job = useJob(jobId)
  const saved = jobResult(job, 'predictions.export')
  async function save(): Promise<void> {
    const path = await bridge().chooseFile({ kind: 'save-predictions', name: `${deployment.service}-predictions.csv` })
    if (path !== null) start.mutate({ deploymentId: deployment.id, path }, { onSuccess: ({ jobId: started }) => setJobId(started) })
  }
  return (
    <Section title="Prediction log" aside={log ? 'predictions.sqlite on the device' : 'off'}>
      {log ? (
        <>
          <Facts
            facts={[
              { label: 'Written', value: formatCount(log.writtenRows) },
              { label: 'Left out, device too busy', value: formatCount(log.droppedRows) },
              { label: 'File', value: formatBytes(log.fileBytes) },
            ]}
          />
          <Group gap="sm" mt="sm">
            <Button
              variant="default"
              size="xs"
              loading={start.isPending || (job !== undefined && isActive(job))}
              onClick={() => void save()}
              data-testid="predictions-save"
            >
              Save as file…
            </Button>
            <span className="es-dim es-wrap" role="status" data-testid="predictions-saved">
              {saved
                ? `${formatCounted(saved.rows, 'prediction')} (${formatBytes(saved.sizeBytes)}) saved in ${plainText(saved.path, 300)}`
                : 'A .csv for a spreadsheet, or .jsonl with inputs and outputs in their shapes.'}
            </span>
          </Group>
        </>
      ) : (
        <span className="es-dim">
          Inputs are private data, so predictions are only kept where that was asked for when the service was deployed.
        </span>
      )}
    </Section>
  )
}
