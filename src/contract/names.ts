import { z } from 'zod'

/** Devices and services: they become folder names, unit names and URLs on other machines, so nothing exotic. */
export const serviceNameSchema = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, 'use 1 to 40 of a-z, 0-9 and "-", not at the ends')

/** Models, builds and datasets in the workspace; shown everywhere, never used as a path. */
export const displayNameSchema = z
  .string()
  .trim()
  .min(1)
  .max(120)
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}/\\]+$/u, 'no slashes and no control characters')

/** Lower-case hex SHA-256 of a file's bytes. */
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/)

/** Row identifiers: UUIDs made by the backend. */
export const idSchema = z.uuid()

/** Kinds of processor that decide how a graph must look (SPEC.md, "Target"). */
export const targetSchema = z.enum(['x64', 'x64-vnni', 'arm64', 'arm64-dotprod', 'tensorrt'])
export type Target = z.infer<typeof targetSchema>

/** An absolute path on the machine the backend runs on. */
export const pathSchema = z.string().min(1).max(4096)

/** A moment as ISO 8601 in UTC. */
export const momentSchema = z.iso.datetime()
