// The settings as GET /api/settings tells them, and their names. The box gives range, default and an English sentence
// for each; the Chinese sentence stands here. A setting that is not in this table is shown under its key.
import type { Language } from '../../lib/texts';

export interface Setting {
  value: string | number | boolean;
  default: string | number | boolean;
  type: 'bool' | 'int' | 'float' | 'auto_float' | 'text' | 'choice';
  choices?: string[];
  min?: number;
  max?: number;
  max_bytes?: number;
  /** Who says so: only what is stored, or nobody, can be changed here. */
  source: 'default' | 'file' | 'stored' | 'set';
  restart: boolean;
  needs_restart: boolean;
  help: string;
}

export type Settings = Record<string, Setting>;

type Entry = readonly [en: string, zh: string, zhHelp?: string];

const entries: Record<string, Entry> = {
  'access.legacy_allow': ['Callers without credential', '免凭据调用方', '允许不带凭据使用兼容接口的地址和 CIDR 网段，以逗号分隔；留空则不允许。'],
  'access.mode': ['Access', '访问控制', 'closed：每次调用都需要凭据；open：不需要，仅用于只监听本机地址的主机。'],
  'access.session_days': ['A session lasts (days)', '会话有效期（天）', '会话最长的有效天数，之后需要重新登录。'],
  'access.session_idle_minutes': ['A session rests (min)', '会话空闲时限（分钟）', '多少分钟没有操作后会话结束。'],
  'backup.max_mib': ['Largest backup (MiB)', '备份大小上限（MiB）', '用于恢复的备份文件的最大大小。'],
  'box.name': ['Name of the box', '主机名称', '显示在状态上报和本控制台中的名称；留空则使用首次启动时的主机名。'],
  'cloud.dev_sno': ['Serial number (dev_sno)', '授权码（dev_sno）', '平台识别本机的授权码；留空则不连接平台。'],
  'cloud.history_info': ['Person’s info in the history', '历史上报人员信息', '平台的事件历史中包含人员信息，即使平台登录时没有要求。'],
  'cloud.login_url': ['Login URL', '登录地址', '主机登录平台的 URL；留空则不连接平台。'],
  'cloud.person_code_as_string': ['Person codes as text', '人员代码用字符串', '向平台发送人员代码时一律用字符串，即使是整数。'],
  'cloud.send_pictures': ['Pictures in reports', '上报的图片', '上报中包含的图片：never 不发送，events 只发送事件图片，all 全部发送。'],
  'cloud.verify_tls': ['Check certificates', '校验证书', '要求平台及其消息服务器使用主机信任的机构签发的证书。'],
  'door.alarm_strangers': ['Alarm for strangers', '陌生人报警', '控制模式为 alarm 时，陌生人也触发报警，而不仅是黑名单人员。'],
  'door.controller_mode': ['Controller mode', '控制模式', 'opendoor：通行即开门，黑名单报警；alarm：不开门，黑名单报警；avoid：只识别和上报。'],
  'door.http.alarm': ['Alarm URL', '报警 URL', 'HTTP 继电器：打开报警输出的 URL；{host} {port} {channel} {index} {seconds} {action} 会被替换。'],
  'door.http.alarm_body': ['Alarm body', '报警请求体', 'HTTP 继电器：打开报警输出的 POST 请求体。'],
  'door.http.close': ['Close URL', '关门 URL', 'HTTP 继电器：关门的 URL。'],
  'door.http.close_body': ['Close body', '关门请求体', 'HTTP 继电器：关门的 POST 请求体。'],
  'door.http.hold': ['Hold-open URL', '常开 URL', 'HTTP 继电器：保持开门的 URL。'],
  'door.http.hold_body': ['Hold-open body', '常开请求体', 'HTTP 继电器：保持开门的 POST 请求体。'],
  'door.http.method': ['Method', '请求方法', 'HTTP 继电器：请求方法。'],
  'door.http.open': ['Open URL', '开门 URL', 'HTTP 继电器：开门若干秒的 URL。'],
  'door.http.open_body': ['Open body', '开门请求体', 'HTTP 继电器：开门的 POST 请求体。'],
  'door.http.verify_tls': ['Check certificates', '校验证书', 'HTTP 继电器：要求 https 继电器使用受信任的证书。'],
  'door.modbus.first_coil': ['First coil', '起始线圈', 'Modbus 继电器：第 1 通道的线圈地址。'],
  'door.modbus.unit': ['Unit', '单元标识', 'Modbus 继电器：控制板的单元标识。'],
  'door.relay_default': ['Usual protocol', '默认协议', '设备未指定时使用的继电器协议。'],
  'door.tcp.alarm': ['Alarm bytes', '报警字节', 'TCP 继电器：打开报警输出的字节；支持占位符和 \\r \\n \\t \\\\ \\xHH 转义。'],
  'door.tcp.close': ['Close bytes', '关门字节', 'TCP 继电器：关门的字节。'],
  'door.tcp.hold': ['Hold-open bytes', '常开字节', 'TCP 继电器：保持开门的字节。'],
  'door.tcp.open': ['Open bytes', '开门字节', 'TCP 继电器：开门若干秒的字节。'],
  'door.tcp.wait_reply': ['Wait for a reply', '等待应答', 'TCP 继电器：收到至少一个字节的应答才算完成。'],
  'events.keep': ['Events kept', '保留事件数', '保留的事件数量；超出后先删除最旧的事件及其图片。'],
  'events.keep_days': ['Days kept', '保留天数', '事件保留的天数；0 表示不限。'],
  'events.low_quality': ['Events of low quality', '低质量事件', '人脸质量低于设备等级时也保存事件。'],
  'events.max_disk_share': ['Share of the disk', '磁盘占比上限', '数据分区的占用比例上限，超出后先删除最旧的事件；0 表示不限。'],
  'events.spot_picture': ['Picture of an event', '现场图片', '事件保存的图片：full 整个画面，face 人脸及周围。'],
  'gallery.capacity': ['Capacity of the gallery', '底库容量', '底库可容纳的人脸数量。'],
  'http.max_body_mib': ['Largest request (MiB)', '请求大小上限（MiB）', '一次请求的最大大小。'],
  'import.max_mib': ['Largest import (MiB)', '导入大小上限（MiB）', '可导入的最大压缩包。'],
  'intake.ftp.directory': ['Directory', 'FTP 目录', '没有独立账户的 FTP 摄像机上传的目录。'],
  'intake.ftp.passive_ports': ['Passive ports', '被动端口范围', 'FTP 数据连接使用的端口范围。'],
  'intake.ftp.password_hash': ['Password', 'FTP 密码', 'FTP 账户的密码，格式同 `openssl passwd -6` 的输出；留空则没有该账户。'],
  'intake.ftp.port': ['Port', 'FTP 端口', '摄像机通过 FTP 上传图片的 TCP 端口。'],
  'intake.ftp.public_address': ['Public address', '对外地址', '位于地址转换之后时，告知摄像机的地址。'],
  'intake.ftp.user': ['Account', 'FTP 账户', '没有独立账户的摄像机使用的 FTP 账户。'],
  'intake.stream_fps': ['Frames analysed a second', '每秒分析帧数', '每路视频每秒最多分析的帧数；主机繁忙时会更少。'],
  'liveness.threshold': ['Liveness threshold', '活体阈值', '启用活体检测的设备放行所需的最低活体概率（0–1）。'],
  'log.level': ['Log level', '日志级别', '记录的最低日志级别。'],
  passmode: ['Pass mode', '通行模式', 'normal：按权限；allpass：所有已知人员通行；allforbidden：任何人不得通行。'],
  'quality.custom.brightness': ['Brightness', '亮度', '质量等级 custom：评判人脸亮度。'],
  'quality.custom.clarity': ['Sharpness', '清晰度', '质量等级 custom：评判人脸清晰度。'],
  'quality.custom.face_size': ['Size of the face (px)', '人脸大小（像素）', '质量等级 custom：人脸框短边必须超过的像素数。'],
  'quality.custom.pitch': ['Tilt (°)', '俯仰角（°）', '质量等级 custom：允许的最大俯仰角。'],
  'quality.custom.yaw': ['Turn (°)', '偏转角（°）', '质量等级 custom：允许的最大偏转角。'],
  'recognition.dedup_seconds': ['One event within (s)', '去重时间（秒）', '同一人在同一设备上多少秒内只生成一个事件；0 表示每次都生成。'],
  'recognition.duplicate_threshold': ['Counts as somebody else’s', '重复人脸阈值', '相似度（0–1）达到该值的注册人脸视为他人已有的人脸；auto：与识别阈值相同。'],
  'recognition.enrol_min_face': ['Smallest face to enrol (px)', '注册最小人脸（像素）', '可注册的最小人脸，人脸框短边像素数。'],
  'recognition.false_accept_target': ['Strangers taken for somebody', '陌生人误识率目标', '允许被误认为库内人员的陌生人比例（0–1），自动阈值由此得出。'],
  'recognition.keep_model_set_days': ['Keep the former model set (days)', '保留上一模型集（天）', '为便于切换回来，上一个模型集的特征保留的天数；0 表示直到手动删除。'],
  'recognition.max_auto_threshold': ['Highest automatic threshold', '自动阈值上限', '自动阈值可达到的最高相似度（0–1）；auto 为内置上限。'],
  'recognition.model_set': ['Model set of a new box', '新设备的模型集', '新设备首次启动时使用的模型集文件夹；留空为随设备提供的模型集。之后请在“模型集”中切换。'],
  'recognition.second_view': ['Look twice', '二次比对', '在门口对每张人脸看两次，更准确但更慢；auto：无人等待时。'],
  'recognition.stranger_absent_minutes': ['Strangers: away between visits (min)', '陌生人：两次到访间隔（分钟）', '陌生人离开多少分钟后再出现才算再次到访；0 表示每个事件都算一次。'],
  'recognition.stranger_days': ['Strangers: forgotten after (days)', '陌生人：保留天数', '陌生人多少天未再出现即被遗忘。'],
  'recognition.stranger_keep': ['Strangers remembered at most', '陌生人：最多记住', '最多记住的陌生人数量；超出后先遗忘最久未出现的。'],
  'recognition.stranger_memory': ['Remember strangers', '陌生人记忆', '以会过期的匿名编号记住陌生人的人脸，以判断其是否来过。关闭后全部遗忘。'],
  'recognition.stranger_threshold': ['Strangers: threshold', '陌生人：阈值', '相似度（0–1）达到该值即认定为同一陌生人；auto：按其数量自动选择。'],
  'recognition.threshold': ['Threshold', '识别阈值', '相似度（0–1）达到该值即认定为该人员；auto：按底库规模自动选择。'],
  'recognition.tiles': ['Tiles', '分块检测', '把大图切块以发现小人脸；auto：按图片大小。'],
  'reports.allow': ['Allowed receivers', '允许的接收地址', '允许上报的主机、地址和 CIDR 网段，以逗号分隔；留空则不限。'],
  'reports.device_info_url': ['Device operations', '设备操作上报地址', '平台未指定时上报设备增删的 URL；留空则不上报。'],
  'reports.history_batch': ['Several events a report', '历史批量上报', '一次历史上报包含多个事件，而不是每次一个。'],
  'reports.set_aside_seconds': ['Set aside after (s)', '搁置时间（秒）', '接收方拒绝某事件（400、413、422）多少秒后将其搁置并继续发送下一个。'],
  'tls.certificate': ['Certificate file', '证书文件', 'tls.mode 为 files 时使用的证书文件。'],
  'tls.key': ['Key file', '私钥文件', 'tls.mode 为 files 时使用的私钥文件。'],
  'tls.mode': ['HTTPS', 'HTTPS', 'off：不加密；self：自签名证书；files：使用指定的证书文件。'],
  'vision.workers': ['Worker threads', '分析线程数', '分析图片的线程数；0：每核一个。'],
};

export function settingLabel(key: string, language: Language): string {
  const entry = entries[key];
  return entry ? entry[language === 'zh' ? 1 : 0] : key;
}

/** What is asked before a value is stored that takes or keeps more than it seems to. */
const questions: Record<string, { value: Setting['value']; ask: readonly [en: string, zh: string] }[]> = {
  'recognition.stranger_memory': [
    {
      value: false,
      ask: ['All remembered strangers are forgotten. This cannot be undone.', '将遗忘全部陌生人，此操作无法撤销。'],
    },
    {
      value: true,
      ask: [
        'The box will keep biometric data of people who were not asked. Are you entitled to that, and is there a sign that says so?',
        '设备将保存未经同意者的生物特征数据。您是否有权这样做，并已设置告示？',
      ],
    },
  ],
};

export function questionsOf(changes: Record<string, Setting['value']>, language: Language): string[] {
  return Object.entries(changes).flatMap(([key, value]) =>
    (questions[key] ?? []).filter((question) => question.value === value).map(({ ask }) => ask[language === 'zh' ? 1 : 0]),
  );
}

export function settingHelp(key: string, setting: Setting, language: Language): string {
  return (language === 'zh' && entries[key]?.[2]) || setting.help;
}

/** Sections of the settings, by the beginnings of their keys and in their order; the rest is shown under "all". */
export const sections = {
  recognition: ['recognition.threshold', 'recognition.false_accept_target', 'passmode', 'recognition.', 'liveness.', 'quality.custom.'],
  doors: ['door.'],
  reports: ['reports.', 'cloud.send_pictures'],
  platform: ['cloud.dev_sno', 'cloud.login_url', 'cloud.'],
  storage: ['events.', 'gallery.', 'import.', 'backup.', 'http.'],
  box: ['box.', 'access.', 'tls.', 'intake.', 'log.', 'vision.'],
} as const;

export type Section = keyof typeof sections;

export function keysOf(settings: Settings, section: Section): string[] {
  const starts: readonly string[] = sections[section];
  const keys = Object.keys(settings);
  return [...new Set(starts.flatMap((start) => keys.filter((key) => key.startsWith(start))))];
}
