import { Tabs } from '@mantine/core'
import { useState } from 'react'
import { type Device, LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import { useAction } from '../../backend/use-action.ts'
import { useDeviceLink } from '../../backend/use-device-links.ts'
import detailClasses from '../../components/detail.module.css'
import { DetailHeader } from '../../components/detail-header.tsx'
import tabClasses from '../../components/page-tabs.module.css'
import { StateDot } from '../../components/state-dot.tsx'
import { deviceLabel } from '../../text/device-label.ts'
import { AddAgainDialog } from './add-again-dialog.tsx'
import { BenchmarkDialog } from './benchmark-dialog.tsx'
import { connectionText } from './connection-text.ts'
import { DeviceActions } from './device-actions.tsx'
import classes from './device-detail.module.css'
import { DeviceLog } from './device-log.tsx'
import { DeviceOverview } from './device-overview.tsx'
import { DeviceSheet } from './device-sheet.tsx'
import { RemoveDeviceDialog } from './remove-device-dialog.tsx'
import { useConnect } from './use-connect.ts'
import { useDeviceState } from './use-device-state.ts'

interface DeviceDetailProps {
  readonly device: Device
  /** The device was forgotten; its connection is to be given anew. */
  readonly onAddAgain: (device: Device) => void
}

/** Everything about a device and what can be done with it. */
export function DeviceDetail({ device, onAddAgain }: DeviceDetailProps) {
  const [dialog, setDialog] = useState<'benchmark' | 'remove' | 'add-again' | null>(null)
  const [tab, setTab] = useState<string | null>('overview')
  const probe = useAction('devices.probe', { showsError: true })
  const connect = useConnect(device)
  const link = useDeviceLink(device.id)
  const state = useDeviceState(device)
  const probing = { onProbe: () => probe.mutate({ id: device.id }), probing: probe.isPending }
  const closeDialog = () => setDialog(null)
  return (
    <div className={`${detailClasses.detail} ${classes.detail}`} data-testid="device-detail" data-state={state.text}>
      <DetailHeader
        title={deviceLabel(device)}
        subtitle={
          <>
            <StateDot condition={state.condition}>{state.text}</StateDot>
            {device.connection ? <span className="es-wrap">{connectionText(device.connection)}</span> : null}
            {state.detail && !state.needsReview ? <span className="es-wrap">{state.detail}</span> : null}
          </>
        }
        actions={
          <DeviceActions
            device={device}
            link={link}
            connect={connect}
            {...probing}
            onBenchmark={() => setDialog('benchmark')}
            onRemove={() => setDialog('remove')}
            onAddAgain={() => setDialog('add-again')}
          />
        }
      />
      <Tabs value={tab} onChange={setTab} keepMounted={false} variant="pills" classNames={{ root: classes.tabs, tab: tabClasses.tab }}>
        <Tabs.List className={classes.tabList} aria-label="About the device">
          <Tabs.Tab value="overview" data-testid="tab-device-overview">
            Overview
          </Tabs.Tab>
          <Tabs.Tab value="probe" data-testid="tab-device-probe">
            Probe
          </Tabs.Tab>
          <Tabs.Tab value="log" data-testid="tab-device-log">
            Log
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="overview">
          <DeviceOverview
            device={device}
            link={link}
            connect={connect}
            probeError={probe.error}
            onDismissProbeError={probe.reset}
            {...probing}
            onAddAgain={() => setDialog('add-again')}
            onShowLog={() => setTab('log')}
          />
        </Tabs.Panel>
        <Tabs.Panel value="probe">
          <div className={detailClasses.sections}>
            <DeviceSheet device={device} {...probing} />
          </div>
        </Tabs.Panel>
        <Tabs.Panel value="log" className={classes.logPanel}>
          <DeviceLog device={device} />
        </Tabs.Panel>
      </Tabs>
      {dialog === 'benchmark' ? <BenchmarkDialog device={device} onClose={closeDialog} /> : null}
      {dialog === 'remove' && device.id !== LOCAL_DEVICE_ID ? <RemoveDeviceDialog device={device} onClose={closeDialog} /> : null}
      {dialog === 'add-again' ? <AddAgainDialog device={device} onClose={closeDialog} onForgotten={() => onAddAgain(device)} /> : null}
    </div>
  )
}
