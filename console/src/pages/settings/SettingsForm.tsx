// A form for some settings, made from what the box says about them: type, range, default, who fixed it. Only what was
// changed is sent, all or nothing.
//
//   <SettingsForm settings={settings} keys={keysOf(settings, 'recognition')} onSaved={reload} />
import { UndoOutlined } from '@ant-design/icons';
import { Alert, App, Button, Form, Input, InputNumber, Select, Space, Switch, Tag, Tooltip } from 'antd';
import { useEffect, useState } from 'react';

import { api } from '../../api/client';
import { ErrorState } from '../../components/States';
import { useAct } from '../../components/useAct';
import { texts, useLanguage, useTexts } from '../../lib/texts';
import { useSession } from '../../session';
import { questionsOf, settingHelp, settingLabel, type Setting, type Settings } from './settings';

const T = texts({
  save: ['Save', '保存'],
  discard: ['Discard changes', '放弃修改'],
  saved: ['Saved', '已保存'],
  fixed: ['Fixed on the command line; can’t be changed here', '由命令行指定，无法在此修改'],
  restart: ['after a restart', '重启后生效'],
  pending: ['Some changes count after the next start of the box.', '部分修改将在主机下次启动后生效。'],
  toDefault: ['Back to the default, {value}', '恢复默认值 {value}'],
  auto: ['automatic', '自动'],
  empty: ['empty', '空'],
  on: ['on', '开'],
  off: ['off', '关'],
  sure: ['Store these changes?', '保存这些修改？'],
  cancel: ['Cancel', '取消'],
});

type Value = Setting['value'];

/** A number, or the word auto. */
function AutoNumber({ value, onChange, setting, disabled, id }: { value: Value; onChange: (value: Value) => void; setting: Setting; disabled: boolean; id: string }) {
  const t = useTexts(T);
  const isAuto = value === 'auto';
  return (
    <Space wrap>
      <Switch checked={isAuto} disabled={disabled} checkedChildren={t('auto')} unCheckedChildren={t('auto')} aria-label={t('auto')} onChange={(on) => onChange(on ? 'auto' : (setting.min ?? 0))} />
      {!isAuto && <InputNumber id={id} value={Number(value)} min={setting.min} max={setting.max} step={0.01} disabled={disabled} onChange={(next) => next !== null && onChange(next)} />}
    </Space>
  );
}

function Control({ id, setting, value, onChange, disabled }: { id: string; setting: Setting; value: Value; onChange: (value: Value) => void; disabled: boolean }) {
  switch (setting.type) {
    case 'bool':
      return <Switch id={id} checked={value === true} disabled={disabled} onChange={onChange} />;
    case 'choice':
      return <Select id={id} className="setting-choice" value={String(value)} disabled={disabled} options={setting.choices?.map((choice) => ({ value: choice, label: choice }))} onChange={onChange} />;
    case 'auto_float':
      return <AutoNumber id={id} setting={setting} value={value} disabled={disabled} onChange={onChange} />;
    case 'int':
    case 'float':
      return (
        <InputNumber
          id={id}
          className="setting-number"
          value={Number(value)}
          min={setting.min}
          max={setting.max}
          precision={setting.type === 'int' ? 0 : undefined}
          disabled={disabled}
          onChange={(next) => next !== null && onChange(next)}
        />
      );
    default:
      return <Input id={id} value={String(value)} disabled={disabled} onChange={(event) => onChange(event.target.value)} />;
  }
}

function useShown() {
  const t = useTexts(T);
  return (value: Value) => (value === '' ? t('empty') : value === true ? t('on') : value === false ? t('off') : value === 'auto' ? t('auto') : String(value));
}

interface FormProps {
  settings: Settings;
  keys: string[];
  onSaved: () => void;
  /** Told of what is not saved yet, by key. */
  onChanges?: (changes: Record<string, Value>) => void;
}

export function SettingsForm({ settings, keys, onSaved, onChanges }: FormProps) {
  const t = useTexts(T);
  const { language } = useLanguage();
  const { may } = useSession();
  const shown = useShown();
  const { modal } = App.useApp();
  const [changes, setChanges] = useState<Record<string, Value>>({});
  const mayChange = may('admin');
  useEffect(() => onChanges?.(changes), [changes, onChanges]);
  const save = useAct(
    async () => {
      await api.put('/api/settings', changes);
      setChanges({});
      onSaved();
    },
    t('saved'),
    { quiet: true },
  );
  const change = (key: string, value: Value) =>
    setChanges((before) => {
      const others = Object.entries(before).filter(([other]) => other !== key);
      return Object.fromEntries(value === settings[key]?.value ? others : [...others, [key, value]]);
    });
  const changed = Object.keys(changes).length > 0;
  const ask = () => {
    const questions = questionsOf(changes, language);
    if (questions.length === 0) return void save.run();
    modal.confirm({ title: t('sure'), content: questions.join(' '), okText: t('save'), cancelText: t('cancel'), onOk: () => save.run() });
  };
  return (
    <Form layout="vertical" className="settings-form" onFinish={ask}>
      {keys.some((key) => settings[key]?.needs_restart) && <Alert type="info" showIcon title={t('pending')} className="settings-note" />}
      {keys.map((key) => {
        const setting = settings[key];
        if (!setting) return null;
        const value = changes[key] ?? setting.value;
        const fixed = setting.source === 'set';
        return (
          <Form.Item
            key={key}
            htmlFor={`setting-${key}`}
            label={
              <Space size={6} wrap>
                <span className={key in changes ? 'setting-changed' : undefined}>{settingLabel(key, language)}</span>
                <code className="setting-key">{key}</code>
                {setting.restart && <Tag>{t('restart')}</Tag>}
              </Space>
            }
            extra={settingHelp(key, setting, language)}
          >
            <Tooltip title={fixed ? t('fixed') : undefined}>
              <Space.Compact block className="setting-control">
                <Control id={`setting-${key}`} setting={setting} value={value} disabled={fixed || !mayChange} onChange={(next) => change(key, next)} />
                {mayChange && !fixed && value !== setting.default && (
                  <Tooltip title={t('toDefault', { value: shown(setting.default) })}>
                    <Button type="text" icon={<UndoOutlined />} aria-label={t('toDefault', { value: shown(setting.default) })} onClick={() => change(key, setting.default)} />
                  </Tooltip>
                )}
              </Space.Compact>
            </Tooltip>
          </Form.Item>
        );
      })}
      {save.error && <ErrorState error={save.error} />}
      {mayChange && (
        <Space className="settings-actions">
          <Button type="primary" htmlType="submit" disabled={!changed} loading={save.busy}>
            {t('save')}
          </Button>
          {changed && <Button onClick={() => setChanges({})}>{t('discard')}</Button>}
        </Space>
      )}
    </Form>
  );
}
