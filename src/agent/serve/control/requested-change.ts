import type { Routing, ServiceEvent } from '../../../contract/routing.ts'
import type { TrafficRequest } from '../../../contract/service-protocol.ts'
import type { Moment } from '../../../core/rollout/routing.ts'
import { promote, type RoutingChange, rollBack, rollOut, setWeight, withdraw } from '../../../core/rollout/routing-changes.ts'

/** What a request changes, and how it is told. */
export interface RequestedChange {
  readonly change: RoutingChange
  readonly kind: ServiceEvent['kind']
  /** Whom the event is about. */
  readonly release: string
  /** It may have failed before, and is tried or serves again now: that is forgotten. */
  readonly isTriedAgain: boolean
}

const ROLL_OUT_EVENTS = { switch: 'switched', canary: 'canary-step', split: 'weights', shadow: 'weights' } as const

/**
 * What a request for other traffic means for the routing; null where it changes nothing.
 * @throws CoreError `USAGE` where it does not go together with what is being tried
 */
export function requestedChange(request: TrafficRequest, routing: Routing, moment: Moment): RequestedChange | null {
  switch (request.action) {
    case 'roll-out': {
      const { release, rollout } = request
      const change = rollOut(routing, release, rollout, moment)
      return change.routing === routing ? null : { change, kind: ROLL_OUT_EVENTS[rollout.kind], release, isTriedAgain: true }
    }
    case 'weight': {
      const { release, weight } = request
      return { change: setWeight(routing, release, weight, moment), kind: 'weights', release, isTriedAgain: false }
    }
    case 'promote':
      return { change: promote(routing, request.release, moment), kind: 'switched', release: request.release, isTriedAgain: false }
    case 'withdraw':
      return { change: withdraw(routing, request.release), kind: 'weights', release: request.release, isTriedAgain: false }
    case 'rollback': {
      const change = rollBack(routing)
      const { current } = change.routing
      return { change, kind: 'rolled-back', release: current, isTriedAgain: current !== routing.current }
    }
  }
}
