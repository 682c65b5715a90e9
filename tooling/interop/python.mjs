export async function python() {}
