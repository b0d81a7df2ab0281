/** One client: hollow while it has no connection. */
export function drawDot(context, { x, y, isAway }, radius, colour) {
  context.beginPath();
  if (isAway) {
    context.arc(x, y, Math.max(1, radius - 1), 0, 2 * Math.PI);
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.stroke();
  } else {
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
  }
}

/** Larger, ringed, and with its name: among two hundred it must be found at once. */
export function drawOwn(context, dot, radius, { own, tank }, stageWidth) {
  const { x, y } = dot;
  const size = Math.max(radius + 1.5, 5);
  context.beginPath();
  context.arc(x, y, size + 2, 0, 2 * Math.PI);
  context.fillStyle = tank;
  context.fill();
  drawDot(context, dot, size, own);
  context.font = '700 12px system-ui, sans-serif';
  const text = 'you';
  const width = context.measureText(text).width + 10;
  const top = y - size - 22;
  const left = Math.max(0, Math.min(stageWidth - width, x - width / 2));
  context.fillStyle = own;
  context.beginPath();
  context.roundRect(left, top, width, 17, 5);
  context.moveTo(x - 4, top + 16.5);
  context.lineTo(x + 4, top + 16.5);
  context.lineTo(x, top + 21);
  context.fill();
  context.fillStyle = tank;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(text, left + width / 2, top + 9);
}
