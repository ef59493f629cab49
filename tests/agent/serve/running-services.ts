import { afterEach } from 'vitest'
import { type TestService, testService } from '../service-fixture.ts'

/** Starts services that end with the test. */
export function runningServices(): (...options: Parameters<typeof testService>) => Promise<TestService> {
  const running: TestService[] = []
  afterEach(async () => {
    for (const { service } of running.splice(0)) await service.close()
  })
  return async (...options) => {
    const service = await testService(...options)
    running.push(service)
    return service
  }
}
