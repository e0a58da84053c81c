/** What the page does: lights up what belongs together, brings it into view on a click, and goes through the steps. */
export const SCRIPT = `
const rows=[...document.querySelectorAll('.l[data-l]')].map(e=>({e,on:new Set(e.dataset.l.split(' '))}));
let pinned=null;
function light(row){for(const r of rows)r.e.classList.toggle('hit',!!row&&[...row.on].some(n=>r.on.has(n)))}
function find(target){const e=target.closest&&target.closest('.l[data-l]');return e?rows.find(r=>r.e===e):null}
document.addEventListener('mouseover',ev=>{const r=find(ev.target);if(r||!pinned)light(r||pinned)});
document.addEventListener('mouseleave',()=>light(pinned));
document.addEventListener('click',ev=>{
  const b=ev.target.closest('button[data-show]');
  if(b){show(Number(b.dataset.show));return}
  const r=find(ev.target);pinned=r;light(r);
  if(r)for(const pane of document.querySelectorAll('.code:not([hidden])'))if(!pane.contains(r.e)){const hit=pane.querySelector('.hit');if(hit)pane.scrollTop=hit.offsetTop-pane.offsetTop-pane.clientHeight/3}
});
let at=0;
const stages=[...document.querySelectorAll('.stage')],tabs=[...document.querySelectorAll('button[data-show]')];
function show(n){at=Math.max(0,Math.min(stages.length-1,n));stages.forEach((s,i)=>{s.hidden=i!==at});tabs.forEach((t,i)=>{t.classList.toggle('on',i===at)});tabs[at].scrollIntoView({block:'nearest'});location.hash=String(at)}
document.addEventListener('keydown',ev=>{if(ev.key==='ArrowRight')show(at+1);else if(ev.key==='ArrowLeft')show(at-1)});
if(/^#\\d+$/.test(location.hash))show(Number(location.hash.slice(1)));
`;
