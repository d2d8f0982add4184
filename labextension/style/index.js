import './base.css';
import './form.css';
import './panel.css';
