/** Bytes of a C string literal: what C or printf would read otherwise is escaped. */
export const escaped = (s: string): string =>
  s.replaceAll('%', '%%').replace(/["\\\u0000-\u001f\u007f?]/g, (c) => `\\${c === '"' || c === '\\' || c === '?' ? c : c.charCodeAt(0).toString(8).padStart(3, '0')}`);
