import { text } from './option.ts'

/** The argument of every command about a service. */
export const servicePositional = { service: { description: 'name of the service' } } as const

/** Tells services of the same name on different devices apart. */
export const serviceOptions = { device: text('NAME', 'the device, when two have a service of that name') } as const
