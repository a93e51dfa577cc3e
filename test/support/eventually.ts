/** Until `check` passes; fails with its last failure. */
export async function eventually<T>(check: () => Promise<T>, withinMs = 15_000): Promise<T> {
  const deadlineMs = Date.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }
}
