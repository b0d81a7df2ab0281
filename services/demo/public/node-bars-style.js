/** Of <node-bars>. A constructed sheet: no policy against inline styles forbids it. */
export const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:where(node-bars) {
  --nb-dot: #12908a;
  --nb-own: #c2410c;
  --nb-tank: #eef3f5;
  --nb-fill: #cfe7e5;
  --nb-line: #d5dfe4;
  --nb-text: #10232b;
  --nb-quiet: #54666e;
  --nb-warn: #8f5200;
  --nb-lost: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :where(node-bars) {
    --nb-dot: #3fb8ad;
    --nb-own: #ffa04d;
    --nb-tank: #0d171c;
    --nb-fill: #15393a;
    --nb-line: #26363e;
    --nb-text: #e7eff2;
    --nb-quiet: #93a7af;
    --nb-warn: #eab04f;
    --nb-lost: #ff8a80;
  }
}
node-bars {
  display: block;
  overflow-x: auto;
  color: var(--nb-text);
}
node-bars .nb-stage {
  position: relative;
}
node-bars .nb-columns {
  display: flex;
  justify-content: center;
  margin: 0;
  padding: 26px 0 0;
  list-style: none;
}
node-bars .nb-column {
  position: relative;
  flex: none;
  text-align: center;
}
node-bars .nb-tank {
  position: relative;
  height: var(--nb-height, 260px);
  overflow: hidden;
  border: 1px solid var(--nb-line);
  border-radius: 10px;
  background: var(--nb-tank);
}
node-bars .nb-fill {
  position: absolute;
  inset: auto 0 0;
  background: var(--nb-fill);
  transition: height 600ms ease;
}
node-bars .nb-column[data-state="starting"] .nb-tank {
  border-style: dashed;
}
node-bars .nb-column[data-state="cordoned"] .nb-tank,
node-bars .nb-column[data-state="draining"] .nb-tank {
  border-color: var(--nb-warn);
}
node-bars .nb-column[data-state="crashed"] .nb-tank,
node-bars .nb-column[data-state="silent"] .nb-tank {
  border: 1px dashed var(--nb-lost);
  background: none;
}
node-bars .nb-count {
  margin: 8px 0 0;
  font-size: 22px;
  font-weight: 650;
  font-variant-numeric: tabular-nums;
  line-height: 1.2;
}
node-bars .nb-name,
node-bars .nb-state {
  min-height: 1.5em;
  margin: 0;
  overflow: hidden;
  color: var(--nb-quiet);
  font-size: 14px;
  text-overflow: ellipsis;
  white-space: nowrap;
}
node-bars .nb-name {
  /* What does not fit is left out at the start: names differ at the end. */
  direction: rtl;
}
node-bars .nb-state {
  font-size: 13px;
}
node-bars .nb-narrow :is(.nb-name, .nb-state) {
  font-size: 12px;
}
node-bars .nb-narrow .nb-count {
  font-size: 18px;
}
node-bars [data-state="cordoned"] .nb-state,
node-bars [data-state="draining"] .nb-state {
  color: var(--nb-warn);
}
node-bars [data-state="crashed"] .nb-state,
node-bars [data-state="silent"] .nb-state {
  color: var(--nb-lost);
}
node-bars .nb-actions {
  display: flex;
  position: absolute;
  z-index: 1;
  top: calc(var(--nb-height, 260px) / 2);
  right: 6px;
  left: 6px;
  flex-wrap: wrap;
  justify-content: center;
  gap: 6px;
  transform: translateY(-50%);
}
node-bars .nb-actions:empty {
  display: none;
}
node-bars .nb-level {
  position: absolute;
  height: 0;
  border-top: 1.5px dashed var(--nb-quiet);
  pointer-events: none;
  transition: top 600ms ease;
}
node-bars .nb-level span {
  position: absolute;
  bottom: -0.75em;
  left: calc(100% + 8px);
  color: var(--nb-quiet);
  font-size: 13px;
  white-space: nowrap;
}
node-bars canvas {
  position: absolute;
  inset: 0 auto auto 0;
  pointer-events: none;
}
node-bars .nb-hidden {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
@media (prefers-reduced-motion: reduce) {
  node-bars .nb-fill, node-bars .nb-level {
    transition: none;
  }
}
`);
