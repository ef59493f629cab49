import { ActionIcon, Button, Menu } from '@mantine/core'
import { IconDots, IconGauge, IconPackageImport, IconRefresh, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { type Device, LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import { startedWith } from '../../backend/started-jobs.ts'
import { useAction } from '../../backend/use-action.ts'
import { useCall } from '../../backend/use-call.ts'
import { useActiveJobs } from '../../backend/use-jobs.ts'
import detailClasses from '../../components/detail.module.css'
import { DetailHeader } from '../../components/detail-header.tsx'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { JobProgress } from '../../components/job-progress.tsx'
import { StateDot } from '../../components/state-dot.tsx'
import { deviceLabel } from '../../text/device-label.ts'
import { BenchmarkDialog } from './benchmark-dialog.tsx'
import { DeviceBenchmarks } from './device-benchmarks.tsx'
import { DeviceSheet } from './device-sheet.tsx'
import { deviceState } from './device-state.ts'
import { RemoveDeviceDialog } from './remove-device-dialog.tsx'
import { formatSshAddress } from './ssh-address.ts'
import { useDeviceActivity } from './use-device-activity.ts'

/** Everything about a device and what can be done with it. */
export function DeviceDetail({ device }: { device: Device }) {
  const [dialog, setDialog] = useState<'benchmark' | 'remove' | null>(null)
  const { data: workspace } = useCall('workspace.describe', {})
  const probe = useAction('devices.probe', { showsError: true })
  const prepare = useAction('devices.prepare')
  const activity = useDeviceActivity(device.id)
  const state = deviceState(device, activity, workspace?.version)
  const preparing = useActiveJobs('devices.prepare').find(({ id }) => startedWith(id, 'devices.prepare')?.id === device.id)
  const benchmarking = useActiveJobs('bench.start').filter(({ id }) => startedWith(id, 'bench.start')?.deviceId === device.id)
  const isLocal = device.id === LOCAL_DEVICE_ID
  const fits = device.report?.fits !== false
  return (
    <div className={detailClasses.detail} data-testid="device-detail">
      <DetailHeader
        title={deviceLabel(device)}
        subtitle={
          <>
            <StateDot condition={state.condition}>{state.text}</StateDot>
            {device.connection ? <span>{formatSshAddress(device.connection)}</span> : null}
            {state.detail ? <span className="es-wrap">{state.detail}</span> : null}
          </>
        }
        actions={
          <>
            <Button
              leftSection={<IconGauge size={14} />}
              disabled={!fits}
              onClick={() => setDialog('benchmark')}
              data-testid="device-benchmark"
            >
              Benchmark here
            </Button>
            <Button
              variant="default"
              leftSection={<IconPackageImport size={14} />}
              loading={prepare.isPending || preparing !== undefined}
              disabled={!fits}
              onClick={() => prepare.mutate({ id: device.id })}
              data-testid="device-prepare"
            >
              Prepare
            </Button>
            <Button
              variant="default"
              leftSection={<IconRefresh size={14} />}
              loading={probe.isPending}
              onClick={() => probe.mutate({ id: device.id })}
              data-testid="device-probe"
            >
              Probe
            </Button>
            {isLocal ? null : (
              <Menu position="bottom-end" width={180}>
                <Menu.Target>
                  <ActionIcon variant="default" size={30} aria-label="More" data-testid="device-more">
                    <IconDots size={16} />
                  </ActionIcon>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item
                    color="red"
                    leftSection={<IconTrash size={14} />}
                    onClick={() => setDialog('remove')}
                    data-testid="device-remove"
                  >
                    Remove…
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            )}
          </>
        }
      />
      <div className={detailClasses.sections}>
        {probe.error ? <ErrorNotice error={probe.error} onClose={probe.reset} /> : null}
        {preparing ? <JobProgress job={preparing} /> : null}
        {benchmarking.map((job) => (
          <JobProgress key={job.id} job={job} />
        ))}
        <DeviceBenchmarks device={device} />
        <DeviceSheet device={device} onProbe={() => probe.mutate({ id: device.id })} probing={probe.isPending} />
      </div>
      {dialog === 'benchmark' ? <BenchmarkDialog device={device} onClose={() => setDialog(null)} /> : null}
      {dialog === 'remove' ? <RemoveDeviceDialog device={device} onClose={() => setDialog(null)} /> : null}
    </div>
  )
}
