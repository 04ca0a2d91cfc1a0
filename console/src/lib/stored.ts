// Small preferences of this browser. A browser that keeps nothing (private windows may throw) works all the same.
export function readStored(key: string): string | null {
  try {
    return localStorage.getItem(`aibox.${key}`);
  } catch {
    return null;
  }
}

export function writeStored(key: string, value: string): void {
  try {
    localStorage.setItem(`aibox.${key}`, value);
  } catch {
    // the choice holds until the page is left
  }
}
