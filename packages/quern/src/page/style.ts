/** How the page looks, by day and by night. */
export const STYLE = `
:root{--bg:#fbfaf7;--fg:#23211c;--dim:#8d8677;--line:#e4dfd3;--hit:#ffe9a8;--new:#2f8f5b;--on:#23211c;--onfg:#fbfaf7}
@media (prefers-color-scheme:dark){:root{--bg:#1b1a17;--fg:#e8e3d8;--dim:#8a8475;--line:#35322b;--hit:#5a4a12;--new:#64c08e;--on:#e8e3d8;--onfg:#1b1a17}}
*{box-sizing:border-box}
body{margin:0;height:100vh;display:flex;flex-direction:column;background:var(--bg);color:var(--fg);font:14px/1.45 system-ui,sans-serif}
header{display:flex;gap:.8em;align-items:baseline;padding:.6em 1em;border-bottom:1px solid var(--line);flex-wrap:wrap}
h1{font-size:1.15em;margin:0}header span,header p,h2{color:var(--dim)}header p{margin:0 0 0 auto;font-size:.85em}
main{flex:1;min-height:0;display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr) minmax(0,1.25fr)}
section{display:flex;flex-direction:column;min-height:0;min-width:0;border-right:1px solid var(--line)}
h2{font-size:.8em;font-weight:600;margin:0;padding:.5em 1em}
nav{display:flex;flex-wrap:wrap;gap:4px;padding:0 .8em .5em;max-height:9.5em;overflow:auto}
button{border:1px solid var(--line);background:none;color:inherit;border-radius:4px;padding:1px 7px;font:12px ui-monospace,monospace;cursor:pointer}
button b{color:var(--dim);font-weight:400}button.on{background:var(--on);color:var(--onfg)}button:focus-visible{outline:2px solid var(--new)}
#stages{flex:1;min-height:0;display:flex}
.code{flex:1;min-height:0;overflow:auto;font:12px/1.5 ui-monospace,"Cascadia Mono",Menlo,monospace;padding-bottom:2em}
.l{display:flex;width:max-content;min-width:100%;border-left:3px solid transparent}
.l i{flex:0 0 3.2em;text-align:right;padding-right:1em;color:var(--dim);font-style:normal;user-select:none}
.l code{white-space:pre;font:inherit;padding-right:1em}
.l.new{border-left-color:var(--new)}.l.hit{background:var(--hit)}.l[data-l]{cursor:pointer}[hidden]{display:none}
@media (max-width:900px){body{height:auto}main{display:block}section{border:0;border-bottom:1px solid var(--line)}.code{max-height:60vh}}
`;
