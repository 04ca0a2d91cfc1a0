// Pictures that a visitor brings: read, turned upright, made small enough to send, cut out.

/** A picture ready to be sent: JPEG, PNG or WebP. `url` shows it; call releasePicture() when it is no longer shown. */
export interface Picture {
  blob: Blob;
  url: string;
  width: number;
  height: number;
  name: string;
}

/** Left, top, right, bottom in pixels of the picture. */
export type Box = [left: number, top: number, right: number, bottom: number];

/** Longest side that is sent; a face fills enough of it, and a phone's photo shrinks to a tenth. */
const LONGEST = 2560;
const KEPT_BYTES = 4 << 20;
const JPEG_QUALITY = 0.94;

export const releasePicture = (picture: Picture) => URL.revokeObjectURL(picture.url);

function draw(source: CanvasImageSource, from: Box, width: number, height: number): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context) return Promise.reject(new Error('canvas'));
  context.drawImage(source, from[0], from[1], from[2] - from[0], from[3] - from[1], 0, 0, width, height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('canvas'))), 'image/jpeg', JPEG_QUALITY);
  });
}

function toPicture(blob: Blob, width: number, height: number, name: string): Picture {
  return { blob, url: URL.createObjectURL(blob), width, height, name };
}

/** Reads a file, upright as its camera says. Rejects what the browser can't show. */
export async function readPicture(file: Blob, name = file instanceof File ? file.name : 'photo.jpg'): Promise<Picture> {
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
  try {
    const { width, height } = bitmap;
    const scale = Math.min(1, LONGEST / Math.max(width, height));
    // What is small enough goes as it is: each new JPEG loses a little.
    if (scale === 1 && file.size <= KEPT_BYTES && /^image\/(jpeg|png|webp)$/.test(file.type)) return toPicture(file, width, height, name);
    const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
    return toPicture(await draw(bitmap, [0, 0, width, height], w, h), w, h, name);
  } finally {
    bitmap.close();
  }
}

/** The part inside `box`, as a picture of its own. */
export async function cropPicture(picture: Picture, box: Box): Promise<Picture> {
  const bitmap = await createImageBitmap(picture.blob, { imageOrientation: 'from-image' });
  try {
    const [left, top, right, bottom] = box.map(Math.round) as Box;
    return toPicture(await draw(bitmap, [left, top, right, bottom], right - left, bottom - top), right - left, bottom - top, picture.name);
  } finally {
    bitmap.close();
  }
}

/** The frame that a video shows now. */
export async function grabFrame(video: HTMLVideoElement, name: string): Promise<Picture> {
  const { videoWidth: width, videoHeight: height } = video;
  return toPicture(await draw(video, [0, 0, width, height], width, height), width, height, name);
}

/** As the box takes it inside JSON. */
export async function toBase64(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
