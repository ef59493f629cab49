import { Button } from '@mantine/core'
import { IconFileExport, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { useLocation } from 'wouter'
import type { Analysis } from '../../../contract/analysis.ts'
import { useCall } from '../../backend/use-call.ts'
import { RooflineChart } from '../../charts/roofline-chart.tsx'
import { AsyncView } from '../../components/async-view.tsx'
import detailClasses from '../../components/detail.module.css'
import { DetailHeader } from '../../components/detail-header.tsx'
import { Facts } from '../../components/facts.tsx'
import { Section } from '../../components/section.tsx'
import { ShareBars } from '../../components/share-bars.tsx'
import { WarningList } from '../../components/warning-list.tsx'
import { formatMs } from '../../format/durations.ts'
import { formatExactMoment } from '../../format/moments.ts'
import { formatCount, formatCounted, formatLargeCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatRoughPercent } from '../../format/shares.ts'
import { useTopOnMount } from '../../hooks/use-top-on-mount.ts'
import { environmentFacts } from '../../text/environment-facts.ts'
import { useExportReport } from '../compare/use-export-report.tsx'
import { KernelTables } from './kernel-tables.tsx'
import classes from './runs.module.css'
import { useNames } from './use-names.ts'

/** An analysis that is a profile. */
type StoredProfile = Extract<Analysis, { kind: 'profile' }>

/** Where the time of a model goes: by operator, by kernel, by layer, and against what the machine can do. */
export function ProfileDetail({ id }: { id: string }) {
  const query = useCall('analyses.get', { id })
  return <AsyncView query={query}>{(analysis) => (analysis.kind === 'profile' ? <WholeProfile profile={analysis} /> : null)}</AsyncView>
}

function WholeProfile({ profile }: { profile: StoredProfile }) {
  const [, navigate] = useLocation()
  const names = useNames()
  const top = useTopOnMount<HTMLDivElement>()
  const { exportReport, isPending } = useExportReport()
  const [layer, setLayer] = useState<string | null>(null)
  const { result } = profile
  const total = result.kernels.reduce((sum, { ms }) => sum + ms, 0)
  const model = names.model(profile.modelId)
  return (
    <div ref={top} className={detailClasses.detail} data-testid="profile-detail" data-profile-id={profile.id}>
      <DetailHeader
        title={model}
        subtitle={
          <>
            <span>{names.device(profile.deviceId)}</span>
            <span>
              batch {result.batch}, {formatCounted(result.threads, 'thread')}
            </span>
            <span>{formatExactMoment(profile.createdAt)}</span>
          </>
        }
        actions={
          <>
            <Button
              leftSection={<IconFileExport size={14} />}
              loading={isPending}
              onClick={() => void exportReport(`${model} profile`, { analysisIds: [profile.id] })}
            >
              Export report
            </Button>
            <Button variant="subtle" color="gray" px={8} onClick={() => navigate('/benchmarks/profiles')} aria-label="Close the profile">
              <IconX size={15} />
            </Button>
          </>
        }
      />
      <div className={detailClasses.sections}>
        <WarningList warnings={result.warnings} />
        <Section title="At a glance" aside={`${formatCount(result.runs)} profiled runs, medians`}>
          <Facts
            facts={[
              { label: 'One inference', value: formatMs(result.plainMs) },
              { label: 'While profiled', value: formatMs(result.profiledMs) },
              { label: 'In kernels', value: `${formatMs(total)}, ${formatRoughPercent(total / result.profiledMs)}` },
              { label: 'Kernels', value: formatCount(result.kernels.length) },
              { label: 'Multiply-accumulates', value: formatLargeCount(result.kernels.reduce((sum, { macs }) => sum + (macs ?? 0), 0)) },
            ]}
          />
        </Section>
        <div className={classes.charts}>
          <Section title="By operator" aside="share of the time in kernels">
            <ShareBars
              bars={result.byOp.map(({ kernel, ms, count }) => ({
                name: `${kernel}  ×${count}`,
                amount: ms,
                text: `${formatMs(ms)} · ${formatRoughPercent(total > 0 ? ms / total : 0)}`,
              }))}
              limit={14}
            />
          </Section>
          <RooflineChart profile={result} selectedLayer={layer} onSelect={setLayer} />
        </div>
        <KernelTables profile={result} total={total} selectedLayer={layer} onSelect={setLayer} />
        <Section title="Environment" aside={`Edgesmith ${plainText(result.environment.edgesmithVersion, 30)}`}>
          <Facts facts={environmentFacts(result.environment)} />
        </Section>
      </div>
    </div>
  )
}
