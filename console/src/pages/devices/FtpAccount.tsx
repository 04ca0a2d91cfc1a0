// The FTP account that the box made for a camera. Its password is shown this once.
import { Alert, Descriptions, Modal, Typography } from 'antd';

import type { Device } from '../../api/types';
import { texts, useTexts } from '../../lib/texts';

const T = texts({
  title: ['Type this into the camera', '请在摄像机中填写'],
  once: ['The password is shown this once. The box keeps no copy that can be read; a new one can be made later.', '密码仅显示一次，主机不保存可读副本，之后可重新生成。'],
  host: ['FTP server', 'FTP 服务器'],
  port: ['Port', '端口'],
  user: ['User', '用户名'],
  password: ['Password', '密码'],
  directory: ['Folder', '目录'],
  done: ['Noted', '已记录'],
});

export function FtpAccount({ device, onClose }: { device: Device | undefined; onClose: () => void }) {
  const t = useTexts(T);
  const ftp = device?.ftp;
  const fields = ['host', 'port', 'user', 'password', 'directory'] as const;
  return (
    <Modal open={ftp !== undefined} title={t('title')} okText={t('done')} onOk={onClose} onCancel={onClose} cancelButtonProps={{ hidden: true }} mask={{ closable: false }}>
      <Alert type="warning" showIcon title={t('once')} />
      <Descriptions
        className="form-first"
        column={1}
        bordered
        size="small"
        items={fields.map((key) => ({ key, label: t(key), children: <Typography.Text copyable>{String(ftp?.[key] ?? '')}</Typography.Text> }))}
      />
    </Modal>
  );
}
